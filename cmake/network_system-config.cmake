# find_package(network_system CONFIG): the package NetworkSystem under its later name.
include("${CMAKE_CURRENT_LIST_DIR}/../NetworkSystem/NetworkSystemConfig.cmake")
