#pragma once

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

/// Certificates for tests, which `openssl` makes when the first test needs them.
namespace test_support {

/// A folder with PEM files, NAME.pem and NAME.key, that goes with the process:
///   ca          the issuer of all but the next two
///   stranger    an issuer that nobody trusts, and
///   unknown     a certificate of its, for 127.0.0.1
///   server      for 127.0.0.1 and localhost; its common name is "server"
///   renewed     the same with another key; its common name is "renewed"
///   elsewhere   for elsewhere.example
///   expired     for 127.0.0.1, of the year 2020
///   alone       for 127.0.0.1, signed by itself
///   alice       a client's, with the alternative name URI:spiffe://test/alice
///   mallory     a client's of the stranger
class certificate_folder {
public:
    certificate_folder() : path_(make_folder()) {
        try {
            make_issuer("ca");
            make_issuer("stranger");
            write("ca.cnf",
                  "[ca]\ndefault_ca=it\n[it]\nnew_certs_dir=.\ndatabase=index\nserial=numbers\npolicy=any\n"
                  "default_md=sha256\nunique_subject=no\n[any]\ncommonName=supplied\n");
            write("index", "");
            write("numbers", "01\n");
            const std::string here = "IP:127.0.0.1,DNS:localhost";
            make("server", "ca", "serverAuth", here);
            make("renewed", "ca", "serverAuth", here);
            make("elsewhere", "ca", "serverAuth", "DNS:elsewhere.example");
            make("expired", "ca", "serverAuth", here, "20200101000000Z", "20210101000000Z");
            make("unknown", "stranger", "serverAuth", here);
            make("alice", "ca", "clientAuth", "URI:spiffe://test/alice");
            make("mallory", "stranger", "clientAuth", "URI:spiffe://test/mallory");
            openssl("req -x509 " + new_key("alone") +
                    " -days 2 -out alone.pem -subj /CN=alone -addext subjectAltName=" + here +
                    " -addext basicConstraints=critical,CA:FALSE");
        } catch (...) {
            remove();
            throw;
        }
    }
    certificate_folder(const certificate_folder&) = delete;
    certificate_folder& operator=(const certificate_folder&) = delete;
    ~certificate_folder() { remove(); }

    std::string path(const std::string& name) const { return path_ + "/" + name; }
    std::string pem(const std::string& name) const { return path(name + ".pem"); }
    std::string key(const std::string& name) const { return path(name + ".key"); }

    /// What is in a file.
    static std::string text(const std::string& path) {
        std::ostringstream text;
        text << std::ifstream(path, std::ios::binary).rdbuf();
        return text.str();
    }

    void write(const std::string& name, const std::string& content) const {
        std::ofstream(path(name), std::ios::binary) << content;
    }

    /// Makes the files of one name those of another, as who renews a certificate does.
    void replace(const std::string& name, const std::string& by) const {
        write(name + ".pem", text(pem(by)));
        write(name + ".key", text(key(by)));
    }

private:
    static std::string make_folder() {
        std::string path = (std::filesystem::temp_directory_path() / "netsys-certificates-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) {
            throw std::runtime_error("no folder can be made: " + path);
        }
        return path;
    }

    void remove() noexcept {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    void openssl(const std::string& arguments) const {
        const std::string command = "cd '" + path_ + "' && openssl " + arguments + " >log 2>&1";
        if (std::system(command.c_str()) != 0) {
            throw std::runtime_error("openssl " + arguments + ": " + text(path("log")));
        }
    }

    static std::string new_key(const std::string& name) {
        return "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + name + ".key";
    }

    void make_issuer(const std::string& name) const {
        openssl("req -x509 " + new_key(name) + " -days 2 -out " + name + ".pem -subj /CN=" + name +
                " -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign,cRLSign");
    }

    /// Without dates it is valid from now on, for two days.
    void make(const std::string& name, const std::string& issuer, const std::string& usage, const std::string& names,
              const std::string& from = {}, const std::string& until = {}) const {
        write(name + ".ext", "extendedKeyUsage=" + usage + "\nsubjectAltName=" + names + "\n");
        openssl("req " + new_key(name) + " -out " + name + ".csr -subj /CN=" + name);
        openssl("ca -batch -notext -config ca.cnf -cert " + issuer + ".pem -keyfile " + issuer + ".key -in " + name +
                ".csr -out " + name + ".pem -extfile " + name + ".ext " +
                (from.empty() ? "-days 2" : "-startdate " + from + " -enddate " + until));
    }

    const std::string path_;
};

/// The folder of the process.
inline const certificate_folder& certificates() {
    static const certificate_folder folder;
    return folder;
}

}  // namespace test_support
