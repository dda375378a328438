main.o: main.c outcome.h lib.h
