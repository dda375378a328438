proc.o: proc.c lib.h
