module.o: module.c outcome.h lib.h
