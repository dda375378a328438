layout.o: layout.c lib.h
