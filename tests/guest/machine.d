machine.o: machine.c lib.h
