# The package of thread_system of April 2026.
include(CMakeFindDependencyMacro)
find_dependency(common_system)
if(NOT TARGET thread_system::thread_system)
    add_library(thread_system::thread_system INTERFACE IMPORTED)
    set_target_properties(thread_system::thread_system PROPERTIES
        INTERFACE_LINK_LIBRARIES common_system::common_system
        INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_LIST_DIR}/include;${CMAKE_CURRENT_LIST_DIR}/../engine")
endif()
