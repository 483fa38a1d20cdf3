# The package of common_system of October 2025.
if(NOT TARGET kcenon::common_system)
    add_library(kcenon::common_system INTERFACE IMPORTED)
    set_target_properties(kcenon::common_system PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_LIST_DIR}/include;${CMAKE_CURRENT_LIST_DIR}/../engine")
endif()
