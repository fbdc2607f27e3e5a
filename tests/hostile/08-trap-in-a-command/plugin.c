/* It commands, keeps, raises and sets, and traps before it has ended: nothing of it has happened. */
#include "../hostile.h"

static void act(samples_t samples) {
    command(target(samples), 24, 12, 60);
    raise("");
    append();
    set("key", 100);
    say("all done");
    abort();
}
