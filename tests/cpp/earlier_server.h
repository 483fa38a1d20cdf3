#pragma once

#include <memory>
#include <string>

/// What the two translation units of test_namespaces know of each other: each names the library's classes differently.
class earlier_server {
public:
    /// Null when it does not start.
    static std::unique_ptr<earlier_server> start();

    virtual ~earlier_server() = default;
    virtual unsigned short port() const = 0;
    virtual std::string class_name() const = 0;
    virtual const void* default_pool() const = 0;
};
