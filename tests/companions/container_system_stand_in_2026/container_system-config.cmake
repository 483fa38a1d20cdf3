# The package of container_system of April 2026.
include(CMakeFindDependencyMacro)
find_dependency(common_system)
if(NOT TARGET container_system::container_system)
    add_library(container_system::container_system INTERFACE IMPORTED)
    set_target_properties(container_system::container_system PROPERTIES
        INTERFACE_LINK_LIBRARIES common_system::common_system
        INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_LIST_DIR}/include;${CMAKE_CURRENT_LIST_DIR}/../engine")
endif()
