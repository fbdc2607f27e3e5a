/* What bindings need of the C library; defined in campanile_shim.c. */
#ifndef CAMPANILE_STDLIB_H
#define CAMPANILE_STDLIB_H
#include <stddef.h>
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
_Noreturn void abort(void);
#endif
