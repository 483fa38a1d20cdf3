#pragma once

#include "network_system/compatibility.h"
#include "network_system/network_system.h"
