// G2, 27 October 2025: an archive of images and the stations that store to it. Its protocol data units travel over the
// byte stream. Associations are kept under the id that the disconnection callback gives: the server's.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../check.h"

namespace network_system::core {
class messaging_client;
class messaging_server;
}  // namespace network_system::core
namespace network_system::session {
class messaging_session;
}

namespace {

enum class pdu_type : uint8_t { associate = 1, accepted, store, stored, release, released, end_of_day };

/// A type, a reserved byte, the length as four bytes, the data.
std::vector<uint8_t> make_pdu(pdu_type type, const std::string& data = {}) {
    const auto length = static_cast<uint32_t>(data.size());
    std::vector<uint8_t> pdu{static_cast<uint8_t>(type), 0};
    for (int shift = 24; shift >= 0; shift -= 8) {
        pdu.push_back(static_cast<uint8_t>(length >> shift));
    }
    pdu.insert(pdu.end(), data.begin(), data.end());
    return pdu;
}

/// Puts units together from whatever chunks the stream comes in.
class pdu_reader {
public:
    using consumer = std::function<void(pdu_type, const std::string&)>;

    void read(const std::vector<uint8_t>& chunk, const consumer& consume) {
        buffer_.append(chunk.begin(), chunk.end());
        while (buffer_.size() >= 6) {
            std::size_t length = 0;
            for (std::size_t i = 2; i < 6; ++i) {
                length = length << 8 | static_cast<uint8_t>(buffer_[i]);
            }
            if (buffer_.size() < 6 + length) {
                return;
            }
            const auto type = static_cast<pdu_type>(buffer_[0]);
            const std::string data = buffer_.substr(6, length);
            buffer_.erase(0, 6 + length);
            consume(type, data);
        }
    }

private:
    std::string buffer_;
};

class archive {
public:
    archive(const std::string& title, unsigned short port, std::size_t most_associations);
    ~archive();

    void open_for_business();
    void abort_all();
    bool wait_for_ends(std::size_t count) { return ended_.wait_for(count); }
    void wait_until_closed();
    std::map<std::string, std::string> images() const;

private:
    using session_ptr = std::shared_ptr<network_system::session::messaging_session>;

    void accept(const session_ptr& session);
    void handle(const session_ptr& session, pdu_type type, const std::string& data);

    const unsigned short port_;
    const std::size_t most_associations_;
    mutable std::mutex mutex_;
    std::map<std::string, std::vector<session_ptr>> associations_;
    std::map<std::string, std::string> images_;
    check::recorder<std::string> ended_;
    std::shared_ptr<network_system::core::messaging_server> server_;
};

}  // namespace

#include <algorithm>
#include <iostream>
#include <thread>

#include "network_system/core/messaging_client.h"
#include "network_system/core/messaging_server.h"
#include "network_system/session/messaging_session.h"

namespace {

using network_system::core::messaging_client;
using network_system::core::messaging_server;

archive::archive(const std::string& title, unsigned short port, std::size_t most_associations)
    : port_(port), most_associations_(most_associations), server_(std::make_shared<messaging_server>(title)) {}

archive::~archive() {
    server_->stop_server();
}

void archive::open_for_business() {
    CHECK(server_->start_server(port_).is_ok());
    // Set after the start: the next event finds them.
    server_->set_connection_callback([this](auto session) { accept(session); });
    server_->set_disconnection_callback([this](const auto& id) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto found = associations_.find(id);
        CHECK(found != associations_.end());
        auto& sessions = found->second;
        sessions.erase(std::remove_if(sessions.begin(), sessions.end(), [](auto s) { return s->is_stopped(); }),
                       sessions.end());
        ended_.add(id);
    });
    server_->set_error_callback([](auto session, auto error) {
        CHECK(session->server_id() == "ARCHIVE");
        CHECK(error == asio::error::eof || error == asio::error::connection_reset);
    });
}

void archive::accept(const session_ptr& session) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& sessions = associations_[session->server_id()];
    sessions.push_back(session);
    if (sessions.size() > most_associations_) {
        session->stop_session();  // in the callback, under the lock
        return;
    }
    session->set_receive_callback([this, session, reader = std::make_shared<pdu_reader>()](const auto& chunk) {
        reader->read(chunk, [&](auto type, const auto& data) { handle(session, type, data); });
    });
    session->start_session();  // which has started
}

void archive::handle(const session_ptr& session, pdu_type type, const std::string& data) {
    switch (type) {
        case pdu_type::associate:
            session->send_packet(make_pdu(pdu_type::accepted, session->server_id()));
            break;
        case pdu_type::store: {
            const auto colon = data.find(':');
            {
                const std::lock_guard<std::mutex> lock(mutex_);
                images_[data.substr(0, colon)] = data.substr(colon + 1);
            }
            auto reply = make_pdu(pdu_type::stored, data.substr(0, colon));
            session->send_packet(std::move(reply));
            session->send_packet(std::move(reply));  // stations take the second for a late repetition
            break;
        }
        case pdu_type::release:
            session->send_packet(make_pdu(pdu_type::released));
            session->stop_session();
            break;
        case pdu_type::end_of_day:
            CHECK(server_->stop_server().is_ok());
            break;
        default:
            CHECK(!"a unit that stations send");
    }
}

void archive::abort_all() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, sessions] : associations_) {
        for (const auto& session : sessions) {
            session->stop_session();  // the disconnection callback needs the lock that is held here
        }
    }
}

void archive::wait_until_closed() {
    server_->wait_for_stop();
    CHECK(!server_->is_running());
    const std::lock_guard<std::mutex> lock(mutex_);
    CHECK(associations_["ARCHIVE"].empty());
}

std::map<std::string, std::string> archive::images() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return images_;
}

class station {
public:
    explicit station(unsigned short port) : port_(port) {
        client_->set_receive_callback([this](const auto& chunk) {
            chunks_.add(chunk.size());
            reader_.read(chunk, [this](auto type, const auto& data) { handle(type, data); });
        });
        client_->set_connected_callback([this] { client_->send_packet(make_pdu(pdu_type::associate)); });
        client_->set_error_callback([](auto error) { CHECK(error == asio::error::eof); });
        client_->set_disconnected_callback([this] { ends_.add(1); });
    }
    ~station() { client_->stop_client(); }

    void associate() {
        CHECK(client_->start_client("127.0.0.1", port_).is_ok());
        CHECK(accepted_.wait_for(++associations_));
        CHECK(accepted_.last() == "ARCHIVE");
    }

    void store(const std::string& name, const std::string& image) {
        const std::size_t before = stored_.size();
        CHECK(client_->send_packet(make_pdu(pdu_type::store, name + ":" + image)).is_ok());
        CHECK(stored_.wait_for(before + 2));
        CHECK(stored_.last() == name);
    }

    void say(pdu_type type) { CHECK(client_->send_packet(make_pdu(type)).is_ok()); }
    bool wait_for_ends(std::size_t count) { return ends_.wait_for(count); }
    void wait() { client_->wait_for_stop(); }
    std::size_t ends() const { return ends_.size(); }
    messaging_client& client() { return *client_; }

private:
    void handle(pdu_type type, const std::string& data) {
        switch (type) {
            case pdu_type::accepted:
                CHECK(chunks_.last() == 6 + data.size());  // small, so it came in one piece
                accepted_.add(data);
                break;
            case pdu_type::stored:
                stored_.add(data);
                break;
            case pdu_type::released:
                client_->stop_client();  // in the callback
                break;
            default:
                CHECK(!"a unit that the archive sends");
        }
    }

    const unsigned short port_;
    const std::shared_ptr<messaging_client> client_ = std::make_shared<messaging_client>("STATION");
    pdu_reader reader_;
    std::size_t associations_ = 0;
    check::recorder<std::size_t> chunks_;
    check::recorder<std::string> accepted_;
    check::recorder<std::string> stored_;
    check::recorder<int> ends_;
};

/// The station of another maker, on asio; it sees that it is turned away.
void knock_in_vain(unsigned short port) {
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    socket.connect(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port));
    char byte = 0;
    std::error_code error;
    socket.read_some(asio::buffer(&byte, 1), error);
    CHECK(error == asio::error::eof);
}

/// Callbacks may hold what is gone when the stop has returned.
void measure_round_trip(unsigned short port) {
    auto probe = std::make_shared<messaging_client>("PROBE");
    {
        std::string answer;
        check::event answered;
        probe->set_receive_callback([&](const auto& chunk) {
            answer.append(chunk.begin(), chunk.end());
            answered.set();
        });
        check::event connected;
        probe->set_connected_callback([&] { connected.set(); });
        CHECK(probe->start_client("127.0.0.1", port));
        CHECK(connected.wait());
        probe->set_connected_callback(nullptr);
        CHECK(probe->send_packet(make_pdu(pdu_type::associate)));
        CHECK(answered.wait());
        CHECK(answer.substr(6) == "ARCHIVE");
        probe->stop_client();
    }
    probe->set_receive_callback(nullptr);
    CHECK(!probe->is_connected());
}

}  // namespace

int main() {
    const unsigned short port = check::free_port();
    archive images("ARCHIVE", port, 2);
    images.open_for_business();

    measure_round_trip(port);
    CHECK(images.wait_for_ends(1));
    station first(port);
    station second(port);
    first.associate();
    second.associate();
    knock_in_vain(port);
    CHECK(images.wait_for_ends(2));
    for (int i = 0; i < 20; ++i) {
        first.store("first " + std::to_string(i), std::string(100 << i % 14, static_cast<char>('a' + i)));
        second.store("second " + std::to_string(i), "small");
    }

    images.abort_all();
    CHECK(first.wait_for_ends(1) && second.wait_for_ends(1));
    CHECK(images.wait_for_ends(4));
    CHECK(!first.client().is_connected());
    CHECK(first.client().send_packet({1}).error().code == -603);
    first.associate();  // the same client again
    first.store("after the abort", "x");
    first.say(pdu_type::release);
    first.wait();
    CHECK(first.ends() == 1);  // an explicit stop is not told

    second.associate();
    second.say(pdu_type::end_of_day);  // stops the server inside its callback
    images.wait_until_closed();
    CHECK(second.wait_for_ends(2));

    const auto stored = images.images();
    CHECK(stored.size() == 41);
    CHECK(stored.at("first 13") == std::string(100 << 13, 'n'));
    CHECK(stored.at("second 19") == "small");
    std::cout << stored.size() << " images arrived\n";
}
