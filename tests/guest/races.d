races.o: races.c lib.h
