#pragma once

#include "network_system/utils/session_timeout.h"
