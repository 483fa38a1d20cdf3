#pragma once

#include "network_system/interfaces/connection_observer.h"
