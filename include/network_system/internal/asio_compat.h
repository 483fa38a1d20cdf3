#pragma once

// The path by which programs of 2025 got asio from the library. It gives them theirs, where there is one.
#include "network_system/detail/asio_support.h"
