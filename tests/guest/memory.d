memory.o: memory.c lib.h needs.h ../../module/uapi/gupwalk.h
