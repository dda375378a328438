states.o: states.c lib.h needs.h
