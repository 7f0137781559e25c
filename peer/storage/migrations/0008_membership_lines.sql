-- What happened to a group stands among its messages: each such line finds its entry by its place.
CREATE INDEX group_act_by_place ON group_act (feed, number);
