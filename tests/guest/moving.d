moving.o: moving.c lib.h
