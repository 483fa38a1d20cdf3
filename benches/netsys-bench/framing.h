#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// How messages are told apart on a connection.
struct framing {
    enum class kind_t { framed, raw, automatic, length };

    kind_t kind = kind_t::framed;
    /// Of a length prefix: how many bytes it has, in which order, and whether it counts itself.
    std::size_t width = 0;
    bool big_endian = false;
    bool counts_itself = false;

    std::string name() const;
    /// NETSYS_FRAMING_*: for the library a length prefix is part of a raw stream.
    std::uint32_t for_library() const;
    /// NETSYS_MESSAGE_* to send with.
    std::uint32_t message_kind() const;
    bool is_stream() const { return kind == kind_t::raw || kind == kind_t::length; }

    /// Writes the prefix of a message of `length` bytes, at most 8 bytes, and says how many they are.
    std::size_t write_prefix(std::uint64_t length, std::uint8_t* out) const;
    /// The longest message that the prefix can tell of.
    std::uint64_t longest() const;
};

/// "framed", "raw", "auto", "length4le" ...; throws usage_error.
framing parse_framing(const std::string& text);

/// Cuts a stream of bytes into messages, wherever the network cut it. What it keeps of a message grows as its bytes
/// come, whatever a peer announces.
class splitter {
public:
    /// Messages with a length prefix, of at most `longest` bytes.
    static splitter of_prefixed(const framing& framing, std::uint64_t longest);
    /// Messages of one length.
    static splitter of_size(std::size_t size);
    /// Messages of this tool, which say how long they are.
    static splitter of_payloads(std::uint64_t longest);

    /// Calls message(data, length) for each message that is whole now. False: what came can be no message; the stream
    /// is lost.
    template <typename Message>
    bool feed(const std::uint8_t* data, std::size_t length, Message&& message) {
        while (!partial_.empty()) {
            const std::size_t wanted = want(partial_.data(), partial_.size());
            if (wanted == 0) return false;
            if (partial_.size() == wanted && body_known(partial_.size())) {
                // Taken out first: the handler may come back here no more, but the next message starts anew.
                whole_.swap(partial_);
                partial_.clear();
                message(whole_.data() + skip_, whole_.size() - skip_);
                break;
            }
            if (length == 0) return true;
            const std::size_t part = wanted - partial_.size() < length ? wanted - partial_.size() : length;
            partial_.insert(partial_.end(), data, data + part);
            data += part;
            length -= part;
        }
        while (length > 0) {
            const std::size_t wanted = want(data, length);
            if (wanted == 0) return false;
            if (wanted > length || !body_known(length)) break;
            message(data + skip_, wanted - skip_);
            data += wanted;
            length -= wanted;
        }
        partial_.insert(partial_.end(), data, data + length);
        return true;
    }

    /// What was wrong when feed said false.
    const std::string& fault() const { return fault_; }

private:
    enum class mode { prefixed, sized, payloads };

    /// How many bytes a message that begins so needs, its header alone while that is not there; 0: a fault.
    std::size_t want(const std::uint8_t* data, std::size_t length);
    bool body_known(std::size_t length) const { return length >= header_; }

    mode mode_ = mode::sized;
    framing framing_;
    std::uint64_t longest_ = 0;
    std::size_t header_ = 0;  // bytes that say how long the message is
    std::size_t skip_ = 0;    // of these, what is not part of the message
    std::vector<std::uint8_t> partial_;
    std::vector<std::uint8_t> whole_;
    std::string fault_;
};

}  // namespace bench
