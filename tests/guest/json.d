json.o: json.c lib.h
