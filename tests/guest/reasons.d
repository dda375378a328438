reasons.o: reasons.c lib.h
