#include "connection.h"

#include "dialer.h"

namespace bench {

sent connection::send(const header& header, const std::vector<std::uint8_t>& body) {
    std::uint8_t front[8 + payload::header_bytes];
    const framing& framing = dialer_->framing();
    const std::size_t prefix = framing.write_prefix(header.size, front);
    payload::write(header, front + prefix);
    const netsys_bytes parts[] = {{front, prefix + payload::header_bytes},
                                  {body.data(), header.size - payload::header_bytes}};
    const netsys_status status =
        netsys_session_sendv(session_, framing.message_kind(), parts, parts[1].len > 0 ? 2 : 1);
    if (status == NETSYS_OK) return sent::accepted;
    if (status == NETSYS_ERR_WOULD_BLOCK) return sent::full;
    if (status != NETSYS_ERR_CONNECTION_CLOSED && status != NETSYS_ERR_SESSION_NOT_FOUND) {
        netsys_error_info why{};
        why.struct_size = sizeof why;
        netsys_last_error(&why);
        refusal_ = why.status == status ? why.message : netsys_status_message(status);
    }
    return sent::gone;
}

void connection::close() {
    netsys_session_close(session_, NETSYS_OK, {nullptr, 0});
}

void connection::abort() {
    netsys_session_abort(session_);
}

void connection::on_open(void* self, netsys_session session) {
    connection& own = *static_cast<connection*>(self);
    own.session_ = session;
    own.ending_.was_open = true;
    own.open_ = true;
    own.events_->opened(own);
}

void connection::on_message(void* self, netsys_session, const netsys_message* message) {
    connection& own = *static_cast<connection*>(self);
    if (!own.dialer_->framing().is_stream()) {
        own.events_->message(own, message->data, message->len);
        return;
    }
    const bool good = own.splitter_.feed(
        message->data, message->len,
        [&own](const std::uint8_t* data, std::size_t length) { own.events_->message(own, data, length); });
    if (!good) {
        own.ending_.status = NETSYS_ERR_PROTOCOL;
        own.ending_.text = own.splitter_.fault();
        own.abort();
    }
}

void connection::on_writable(void* self, netsys_session) {
    connection& own = *static_cast<connection*>(self);
    own.events_->writable(own);
}

void connection::on_close(void* self, netsys_session, const netsys_close_info* why) {
    connection& own = *static_cast<connection*>(self);
    own.ending_.accepted = why->accepted;
    own.ending_.undelivered = why->undelivered;
    own.ending_.exact = why->exact != 0;
    if (own.ending_.status != NETSYS_OK) return;  // an on_error has said more
    own.ending_.status = why->reason;
    own.ending_.text.assign(why->text.data == nullptr ? "" : why->text.data, why->text.len);
    if (own.ending_.text.empty() && why->by_peer != 0) own.ending_.text = "the server closed the connection";
}

void connection::on_error(void* self, netsys_session, const netsys_error_info* error) {
    connection& own = *static_cast<connection*>(self);
    if (own.ending_.status != NETSYS_OK) return;
    own.ending_.status = error->status;
    own.ending_.text = explain(error->message, error->os_code);
}

void connection::on_stopped(void* self) {
    connection& own = *static_cast<connection*>(self);
    own.events_->ended(own, own.ending_);
}

}  // namespace bench
