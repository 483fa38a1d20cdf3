#pragma once

#include "network_system/network_system.h"
