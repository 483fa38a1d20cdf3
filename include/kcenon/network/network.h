#pragma once

#include "network_system/network.h"
