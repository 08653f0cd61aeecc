//! Which deadlines hold at which box.

use std::collections::{BTreeSet, HashMap};

use sqlx::AnyConnection;

use crate::incident::Deadlines;
use crate::store::StoreError;
use crate::store::access::own_deadlines;
use crate::store::sql::Sql;

/// Those of the configuration, and of boxes whose site has deadlines of its own.
pub(super) struct DeadlinesAt<'d> {
    general: &'d Deadlines,
    own: HashMap<String, Deadlines>,
}

impl<'d> DeadlinesAt<'d> {
    /// What holds at these boxes: one read, however many they are.
    pub async fn read<'e>(
        connection: &mut AnyConnection,
        general: &'d Deadlines,
        edges: impl IntoIterator<Item = &'e str>,
    ) -> Result<Self, StoreError> {
        let edges: BTreeSet<&str> = edges.into_iter().collect();
        let mut query = Sql::new(
            "SELECT site_edge.edge, site.deadlines FROM site_edge JOIN site ON site.site = site_edge.site \
             WHERE site.deadlines IS NOT NULL AND site_edge.edge",
        );
        query.push_in(edges);
        let rows: Vec<(String, String)> =
            query.suited_to(connection).build_query_as().fetch_all(connection).await?;
        let own = rows
            .into_iter()
            .map(|(edge, deadlines)| Ok((edge, general.at_site(&own_deadlines(&deadlines)?))))
            .collect::<Result<_, StoreError>>()?;
        Ok(Self { general, own })
    }

    /// What holds at this box.
    pub fn at(&self, edge: &str) -> &Deadlines {
        self.own.get(edge).unwrap_or(self.general)
    }
}
