load.o: load.c lib.h
