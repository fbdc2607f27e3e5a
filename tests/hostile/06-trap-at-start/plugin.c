/* It traps before it has begun. */
#define START abort()
#include "../hostile.h"

static void act(samples_t samples) { (void)samples; }
