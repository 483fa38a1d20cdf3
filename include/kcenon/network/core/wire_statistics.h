#pragma once

#include "network_system/core/wire_statistics.h"
