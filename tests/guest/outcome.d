outcome.o: outcome.c outcome.h lib.h
