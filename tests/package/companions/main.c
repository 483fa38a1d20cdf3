/* Compiles only if the companion that is installed was linked and announced, and the one that is not was neither. */
#include <stdio.h>

#if !defined BUILD_WITH_CONTAINER_SYSTEM || !defined LINKED_CONTAINER_SYSTEM
#error "container_system was asked for and is installed, but is not in use"
#endif
#if defined BUILD_WITH_THREAD_SYSTEM || defined BUILD_WITH_COMMON_SYSTEM
#error "a companion is announced that is not installed, or was not asked for"
#endif

int main(void) {
    puts("exchanged: nothing, but the companions are as they should be");
    return 0;
}
