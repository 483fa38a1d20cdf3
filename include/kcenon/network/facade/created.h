#pragma once

#include "network_system/facade/created.h"
