# The package of common_system of April 2026.
if(NOT TARGET common_system::common_system)
    add_library(common_system::common_system INTERFACE IMPORTED)
    set_target_properties(common_system::common_system PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_LIST_DIR}/include;${CMAKE_CURRENT_LIST_DIR}/../engine")
endif()
