#pragma once

#include "network_system/utils/address_resolver.h"
