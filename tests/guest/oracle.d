oracle.o: oracle.c decode.h lib.h
