#pragma once

#include "network_system/detail/c_api.h"

#define NETWORK_SYSTEM_TEXT_OF(number) #number
#define NETWORK_SYSTEM_VERSION_TEXT(major, minor, patch) \
    NETWORK_SYSTEM_TEXT_OF(major) "." NETWORK_SYSTEM_TEXT_OF(minor) "." NETWORK_SYSTEM_TEXT_OF(patch)

/// The version of the headers. That of the library is what `network_system::get_version()` returns.
#define NETWORK_SYSTEM_VERSION \
    NETWORK_SYSTEM_VERSION_TEXT(NETSYS_VERSION_MAJOR, NETSYS_VERSION_MINOR, NETSYS_VERSION_PATCH)
#define NETWORK_MODULE_VERSION NETWORK_SYSTEM_VERSION
