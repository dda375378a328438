target.o: target.c lib.h ../../module/uapi/gupwalk.h
