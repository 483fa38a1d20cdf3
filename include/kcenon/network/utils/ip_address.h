#pragma once

#include "network_system/utils/ip_address.h"
