/* It remembers more than it may: many small things, one that is too large, and one without end. */
#include "../hostile.h"

static void act(samples_t samples) {
    (void)samples;
    char key[] = "key-00";
    for (int turn = 0; turn < 100; turn++) {
        key[4] = '0' + turn / 10;
        key[5] = '0' + turn % 10;
        set(key, 1024);
    }
    set("large", 65536);
    set("larger", 262145);
    set("", 1);
}
