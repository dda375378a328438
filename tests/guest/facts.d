facts.o: facts.c lib.h
