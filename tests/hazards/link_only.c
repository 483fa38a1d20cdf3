/* A program that links the library and uses nothing of it: no thread, no descriptor, no signal handler is there, and it
 * ends with its own exit code. */
#include <signal.h>

#include "hazard.h"

int main(void) {
    int number;
    REQUIRE(hazard_threads() == 1);
    for (number = 3; number < 1024; ++number) {
        close(number); /* what the shell left open */
    }
    REQUIRE(hazard_descriptors() == 3);
    for (number = 1; number < 32; ++number) {
        struct sigaction action;
        REQUIRE(sigaction(number, NULL, &action) == 0);
        REQUIRE(action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
    }
    return 17;
}
