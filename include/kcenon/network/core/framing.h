#pragma once

#include "network_system/core/framing.h"
