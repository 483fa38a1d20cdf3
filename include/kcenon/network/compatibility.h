#pragma once

#include "network_system/compatibility.h"
