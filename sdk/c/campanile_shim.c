/* The C library of a plugin without one: blocks of powers of two, each size with its list of free ones, so that an
 * instance that lives for many calls does not grow. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 16, PAGE = 65536 }; /* a head before each block keeps its class, and the block aligned */
extern unsigned char __heap_base; /* set by the linker: where data and stack end */
static uintptr_t top;
static void *spare[32];

static uint32_t class_of(size_t size) { return 32 - __builtin_clz((uint32_t)size + HEAD - 1); }
static uint32_t *head(void *block) { return (uint32_t *)((unsigned char *)block - HEAD); }

void *malloc(size_t size) {
    if (size > (1u << 30)) return NULL;
    uint32_t class = class_of(size < HEAD ? HEAD : size); /* a free block has room for the link to the next */
    void *block = spare[class];
    if (block) {
        spare[class] = *(void **)block;
        return block;
    }
    if (!top) top = ((uintptr_t)&__heap_base + HEAD - 1) & ~(uintptr_t)(HEAD - 1);
    uint64_t end = (uint64_t)top + (1u << class), have = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
    if (end > have && __builtin_wasm_memory_grow(0, (end - have + PAGE - 1) / PAGE) == SIZE_MAX) return NULL;
    block = (void *)(top + HEAD);
    *head(block) = class;
    top = (uintptr_t)end;
    return block;
}

void free(void *block) {
    if (!block) return;
    uint32_t class = *head(block);
    *(void **)block = spare[class];
    spare[class] = block;
}

void *calloc(size_t count, size_t size) {
    uint64_t all = (uint64_t)count * size;
    void *block = all > (1u << 30) ? NULL : malloc((size_t)all);
    return block ? memset(block, 0, (size_t)all) : NULL;
}

void *realloc(void *block, size_t size) {
    if (!block) return malloc(size);
    size_t room = ((size_t)1 << *head(block)) - HEAD;
    if (size <= room) return block;
    void *larger = malloc(size);
    if (larger) {
        memcpy(larger, block, room);
        free(block);
    }
    return larger;
}

void *memcpy(void *to, const void *from, size_t size) {
    for (size_t i = 0; i < size; i++) ((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
    return to;
}

void *memset(void *to, int byte, size_t size) {
    for (size_t i = 0; i < size; i++) ((unsigned char *)to)[i] = (unsigned char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const unsigned char *left = a, *right = b;
    for (size_t i = 0; i < size; i++)
        if (left[i] != right[i]) return left[i] - right[i];
    return 0;
}

size_t strlen(const char *text) {
    size_t size = 0;
    while (text[size]) size++;
    return size;
}

_Noreturn void abort(void) { __builtin_trap(); }
