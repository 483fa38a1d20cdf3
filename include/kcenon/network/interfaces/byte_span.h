#pragma once

#include "network_system/interfaces/byte_span.h"
