#pragma once

#include "network_system/interfaces/i_network_component.h"
