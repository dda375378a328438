needs.o: needs.c lib.h needs.h
