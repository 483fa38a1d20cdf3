#pragma once

#include "network_system/facade/tcp_facade.h"
