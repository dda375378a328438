bad.o: bad.c lib.h
