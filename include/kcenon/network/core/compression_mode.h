#pragma once

#include "network_system/core/compression_mode.h"
