#pragma once

#include "network_system/forward.h"
