decode_x86.o: decode_x86.c decode.h lib.h
